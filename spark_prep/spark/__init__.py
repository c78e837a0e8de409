"""What the Spark jobs share: session, reader, a feed's way into staging, and how a cluster starts them."""
