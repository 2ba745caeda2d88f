"""Where agents work: their leads, what is on offer, the nurture queue, and why a lead did or did not come to them."""
