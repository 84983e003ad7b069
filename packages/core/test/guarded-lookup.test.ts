import { guardLookup } from '@laneway/core/internal'
import t from 'tap'

const FORBIDDEN = [
  '169.254.169.254',
  '168.63.129.16',
  '100.100.100.200',
  '192.0.0.192',
  '::ffff:169.254.169.254',
  '::FFFF:100.100.100.200',
  '::ffff:a9fe:a9fe',
  '::ffff:0:a9fe:a9fe',
  '::a9fe:a9fe',
  '::169.254.169.254',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b::100.100.100.200',
  '64:ff9b:1::a9fe:a9fe',
  '64:ff9b:1:a9fe:a9:fe00::',
  '2002:a9fe:a9fe::1',
  '2002:6464:64c8::',
  '2001:0:a9fe:a9fe::1',
  '2001:0:1:2:0:0:5601:5601',
  'fe80::5efe:a9fe:a9fe',
  '2001:db8::5efe:a9fe:a9fe',
  '2001:db8::200:5efe:a9fe:a9fe',
  'fd00:ec2::23',
  'fd00:0ec2:0:0:0:0:0:254',
  'fe80::1%eth0',
  'febf::1',
]
const ALLOWED = [
  '10.0.0.1',
  '127.0.0.1',
  '169.253.0.1',
  '64:ff9b::a00:1',
  '2002:a00:1::',
  'fd00:ec3::23',
  '::1',
  'fec0::1',
]

/** What a connection would be given when the name resolves to these addresses. */
function resolved(addresses: readonly string[], all: boolean): string {
  let told = 'nothing'
  const list = addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
  const lookup = guardLookup((_name, options, callback) => {
    if (options.all) callback(null, list)
    else callback(null, list[0]!.address, list[0]!.family)
  })
  lookup('sc-b', { all }, (error: { code?: string } | null, found: unknown) => {
    if (error !== null) told = String(error.code)
    else told = Array.isArray(found) ? found.map(one => one.address).join(' ') : String(found)
  })
  return told
}

t.test('a name that resolves to a forbidden address, in any record form, is not connected to', async t => {
  for (const address of FORBIDDEN) {
    t.equal(resolved([address], false), 'LANEWAY_FORBIDDEN_ADDRESS', address)
    t.equal(resolved([address], true), 'LANEWAY_FORBIDDEN_ADDRESS', `${address}, of a list`)
    t.equal(resolved([address, '10.0.0.1', address], true), '10.0.0.1', `${address}, beside another`)
  }
})

t.test('other addresses pass as they are', async t => {
  for (const address of ALLOWED) {
    t.equal(resolved([address], false), address)
    t.equal(resolved([address, '10.0.0.1'], true), `${address} 10.0.0.1`)
  }
})
