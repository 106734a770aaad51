yauth: none
allow_guests: false
