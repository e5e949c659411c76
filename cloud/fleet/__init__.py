"""The boxes of the chain: enrolment, log-ins, contact and state."""
