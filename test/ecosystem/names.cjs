// DNS of the services under test: the names of the neighbours are on loopback. Preloaded by every way, plain Node too.
const dns = require('node:dns')

const real = dns.lookup
dns.lookup = (hostname, ...rest) => {
  if (!/^(sc-c|peer\.internal|third\.example)$/.test(hostname)) return real(hostname, ...rest)
  const done = rest.at(-1)
  if (rest[0]?.all) process.nextTick(done, null, [{ address: '127.0.0.1', family: 4 }])
  else process.nextTick(done, null, '127.0.0.1', 4)
}
