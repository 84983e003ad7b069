import { isForbiddenAddress, isPrivateAddress } from '@laneway/core'
import t from 'tap'

/** Both sides of every bound. */
const rows: readonly (readonly [address: string, isPrivate: boolean])[] = [
  ['127.0.0.1', true],
  ['127.255.255.255', true],
  ['126.255.255.255', false],
  ['128.0.0.0', false],
  ['10.0.0.0', true],
  ['10.255.255.255', true],
  ['9.255.255.255', false],
  ['11.0.0.0', false],
  ['172.16.0.0', true],
  ['172.31.255.255', true],
  ['172.15.255.255', false],
  ['172.32.0.0', false],
  ['192.168.0.0', true],
  ['192.168.255.255', true],
  ['192.167.255.255', false],
  ['192.169.0.0', false],
  ['100.64.0.0', true],
  ['100.127.255.255', true],
  ['100.63.255.255', false],
  ['100.128.0.0', false],
  ['169.254.0.1', false],
  ['0.0.0.0', false],
  ['255.255.255.255', false],
  ['224.0.0.1', false],
  ['8.8.8.8', false],
  ['::1', true],
  ['::', false],
  ['::2', false],
  ['fc00::', true],
  ['fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', true],
  ['fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', false],
  ['fe00::', false],
  ['fe80::1', false],
  ['fe80::1%eth0', false],
  ['fd00::1%eth0', true],
  ['2001:db8::1', false],
  ['::ffff:10.1.2.3', true],
  ['::ffff:a01:203', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:8.8.8.8', false],
  ['::ffff:808:808', false],
  ['::10.0.0.1', false],
]

t.test('private is loopback, RFC 1918, unique-local and carrier-grade NAT', async t => {
  for (const [address, isPrivate] of rows) t.equal(isPrivateAddress(address), isPrivate, address)
})

t.test('link-local and cloud metadata addresses are forbidden, in every notation', async t => {
  for (const address of [
    '169.254.0.0',
    '169.254.169.254',
    '169.254.255.255',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fe80::',
    'febf::1',
    'fe80::1%eth0',
    '100.100.100.200',
    'fd00:ec2::254',
  ]) {
    t.equal(isForbiddenAddress(address), true, address)
  }
  for (const address of ['169.253.255.255', '169.255.0.0', 'fe7f::1', 'fec0::1', '100.100.100.201', 'fd00:ec2::253']) {
    t.equal(isForbiddenAddress(address), false, address)
  }
})
