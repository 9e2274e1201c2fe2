// Bun ends with exit code 0, now and then before the first test, when it waits for nothing but modules that are being loaded.
setInterval(() => {}, 1000)
