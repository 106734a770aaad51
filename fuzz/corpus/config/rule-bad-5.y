yclaim_rules: [{path: a, op: odd, value: x, then: deny}]
