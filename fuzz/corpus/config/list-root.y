y- a
- b
