mocha.setup({ ui: 'bdd', timeout: 120_000 })
