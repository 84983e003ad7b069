/** A payment service: the SDK talks to what stands for Stripe. */
export default {
  library: 'stripe',
  full: true,
  use: 'customers.retrieve, with its retries',
  explicit: true,
  ignore: ['x-stripe-client-telemetry', 'x-stripe-client-user-agent', 'idempotency-key'],
  answer({ times, path }) {
    if (times === 1) return { status: 503, headers: { 'content-type': 'application/json' }, body: '{"error":{}}' }
    const body = JSON.stringify({ object: 'customer', id: path.split('/').at(-1) })
    return { headers: { 'content-type': 'application/json' }, body }
  },
  async service({ agent, targetOf }) {
    const { default: Stripe } = await import('stripe')
    const pool = agent()
    const clients = new Map()
    const clientOf = target => {
      if (!clients.has(target)) {
        const { hostname: host, port } = new URL(target)
        const options = { host, port, protocol: 'http', httpAgent: pool, telemetry: false, maxNetworkRetries: 2 }
        clients.set(target, new Stripe('sk_test_none', options))
      }
      return clients.get(target)
    }
    return async (req, res) => {
      const customer = await clientOf(targetOf(req)).customers.retrieve(req.url.slice(1))
      res.end(JSON.stringify({ id: customer.id }))
    }
  },
}
