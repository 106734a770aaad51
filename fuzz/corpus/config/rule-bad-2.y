yclaim_rules: [{path: [], op: has, value: x, then: deny}]
