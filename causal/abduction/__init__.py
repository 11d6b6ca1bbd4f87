"""Abduction: from a patient's record to the noise, and to any world."""

from .posterior import Bands, Posterior, abduct, invert
from .record import EventReport, Observation, PatientRecord, read_record

__all__ = ["Bands", "EventReport", "Observation", "PatientRecord", "Posterior", "abduct", "invert", "read_record"]
