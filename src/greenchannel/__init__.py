"""greenchannel: real-time remote ECG and imaging triage for chest-pain networks."""
