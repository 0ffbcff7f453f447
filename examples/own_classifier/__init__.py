"""From labelled pictures to a classifier of one's own: ``digits`` writes pictures, ``train`` makes the network."""
