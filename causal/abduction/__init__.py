"""Abduction: infer a patient's noise from the record, then run it in any world."""

from .posterior import Bands, Posterior, abduct, invert
from .record import EventReport, Observation, PatientRecord, read_record

__all__ = ["Bands", "EventReport", "Observation", "PatientRecord", "Posterior", "abduct", "invert", "read_record"]
