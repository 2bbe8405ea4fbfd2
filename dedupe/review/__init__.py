"""What people decided: the queue's answers, who survives, and the crosswalk."""
