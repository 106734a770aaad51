ya: &x [1]
b: *x
