"""Reports: what happened to leads, read by whoever may see it, as figures that say what they are counted from."""
