"""What a number of a run is made of, how sure it is, and which designs and figures it hangs on."""
