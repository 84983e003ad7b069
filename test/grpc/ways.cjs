// How Laneway comes into a stack: by its own code, by the preload, or, for the control, on the server side alone.

/** @param way - `code` or `register` */
module.exports = (way, ports, control) => {
  const [bBase, bGray, cBase, cGray] = ports
  const byCode = way === 'code'
  const endpoints = (base, gray) => [
    { host: '127.0.0.1', port: base },
    { host: '127.0.0.1', port: gray, tags: ['gray'] },
  ]
  let resolver
  const resolverOnce = () => {
    const { createLaneResolver, createStaticSource } = require('@laneway/discovery')
    resolver ??= createLaneResolver({
      sources: [createStaticSource({ 'sc-b': endpoints(bBase, bGray), 'sc-c': endpoints(cBase, cGray) })],
      services: ['sc-b', 'sc-c'],
    })
    return resolver
  }
  let toC
  return {
    ready: async () => {
      if (!byCode || control) return
      await resolverOnce().ready('sc-b')
      await resolverOnce().ready('sc-c')
    },
    serve(stack, port, handlers) {
      if (control && stack.serveControl !== undefined) return stack.serveControl(port, handlers)
      if (!byCode) return stack.serve(port, handlers)
      if (stack.serveInLanes !== undefined) return stack.serveInLanes(port, handlers)
      return stack.serve(port, handlers, [require('@laneway/grpc').laneInterceptor()])
    },
    connect(stack, service, port, fresh) {
      if (control) return stack.connect(`127.0.0.1:${port}`, fresh)
      if (!byCode) return stack.connect(`${service}:${port}`, fresh)
      if (stack.connectInLanes !== undefined) return stack.connectInLanes(service, port, resolverOnce())
      return stack.connect(
        `${service}:${port}`,
        fresh,
        require('@laneway/grpc').laneChannel({ resolver: resolverOnce(), connectTimeoutMs: 60_000 }),
      )
    },
    clientOfC(stack) {
      toC ??= this.connect(stack, 'sc-c', cBase, true)
      return toC
    },
    /** From now on B calls C on a connection of its own. */
    renew() {
      const old = toC
      toC = undefined
      if (old !== undefined) setTimeout(() => old.close(), 2000).unref()
    },
  }
}
