import { isForbiddenAddress, isPrivateAddress } from '@laneway/core/internal'
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
    'fd00:ec2:0:0:0:0:0:254',
    'fd00:ec2::23',
    'FD00:EC2::23',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
    'fd00:42::42',
    '168.63.129.16',
    '::ffff:168.63.129.16',
    '192.0.0.192',
    // IPv4-compatible and translated
    '::169.254.169.254',
    '::a9fe:a9fe',
    '::ffff:0:169.254.169.254',
    '::6464:64c8',
    // NAT64
    '64:ff9b::169.254.169.254',
    '64:ff9b::a83f:8110',
    '64:ff9b:1::a9fe:a9fe',
    '64:ff9b:1:a9fe:a9:fe00::',
    '64:ff9b:1:a9:fe:a9fe::',
    '64:ff9b:1:0:a9:fea9:fe00:0',
    // 6to4, Teredo, ISATAP
    '2002:a9fe:a9fe::',
    '2002:a83f:8110:1::1',
    '2001:0:a9fe:a9fe::',
    '2001:0:1:2:3:4:5601:5601',
    '2001:db8::5efe:a9fe:a9fe',
    '2001:db8::200:5efe:169.254.169.254',
  ]) {
    t.equal(isForbiddenAddress(address), true, address)
  }
  for (const address of [
    '169.253.255.255',
    '169.255.0.0',
    'fe7f::1',
    'fec0::1',
    '100.100.100.201',
    'fd00:ec2::253',
    'fd00:ec2:1::254',
    '168.63.129.17',
    '::',
    '::1',
    '::10.0.0.1',
    '::ffff:10.0.0.1',
    '64:ff9b::10.0.0.1',
    '64:ff9b:2::a9fe:a9fe',
    '2002:a00:1::',
    '2003:a9fe:a9fe::',
    '2001:db8::a9fe:a9fe',
    'fd12::a9fe:a9fe',
    'nonsense',
    '',
    ':::',
    '1:2:3:4:5:6:7:8:9',
  ]) {
    t.equal(isForbiddenAddress(address), false, address)
  }
})
