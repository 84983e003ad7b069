// Lets the rest of the process take this Node for another one.
Object.defineProperty(process, 'version', { value: process.env.PRETENDED })
