"""What a clinic writes down of the phenotypes that a patient has."""
