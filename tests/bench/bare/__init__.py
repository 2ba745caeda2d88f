"""What assigning a lead is measured against: the bare framework, doing one insert."""
