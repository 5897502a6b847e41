"""A simulated county: clinics, devices and staff for the demo and for `greenchannel simulate`."""
