yclaim_rules: [{path: a, op: is, value: x, then: grant, odd: 1}]
