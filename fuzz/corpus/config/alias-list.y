ystun_servers: [*a, &b c]
