yclaim_rules: [{path: [1], op: has, value: x, then: deny}]
