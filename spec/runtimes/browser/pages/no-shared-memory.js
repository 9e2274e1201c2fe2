Reflect.deleteProperty(globalThis, 'SharedArrayBuffer')
