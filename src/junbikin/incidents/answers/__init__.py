"""What banks and custodians answer: read, matched with the payments it is about, and put on record with the money that moves."""
