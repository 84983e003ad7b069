// A DNS that knows the base instance of every service, as the Service of a cluster does: BASE_DNS="name=address,…".
const dns = require('node:dns')

const addresses = new Map((process.env.BASE_DNS ?? '').split(',').map(pair => pair.split('=')))
const { lookup } = dns

dns.lookup = function lookupBase(hostname, options, callback) {
  const address = addresses.get(hostname)
  if (address === undefined) return lookup.call(this, hostname, options, callback)
  const done = typeof options === 'function' ? options : callback
  if (options?.all) process.nextTick(done, null, [{ address, family: 4 }])
  else process.nextTick(done, null, address, 4)
}
