yclaim_rules: [{path: a, op: is, value: [x, ""], then: deny}]
