"""The ground floor: what every stage stands on. Nothing here knows a stage."""
