// Imported first, so that a Node which is too old says so before something fails in it that the user cannot read.

/** The first release with what this package needs; its `engines` say the same. */
const OLDEST: readonly [major: number, minor: number] = [20, 19]

const [major = 0, minor = 0] = process.version.replace(/^v/, '').split('.').map(Number)
const old = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])
const off = (process.env['LANEWAY_DISABLE'] ?? '').split(',').some(part => part.trim() === 'all')

if (old && !off) {
  process.stderr.write(
    `@laneway/register needs Node ${OLDEST.join('.')} or newer, and this is ${process.version}: upgrade Node, or set LANEWAY_DISABLE=all to start without lanes\n`,
  )
  process.exit(1)
}
