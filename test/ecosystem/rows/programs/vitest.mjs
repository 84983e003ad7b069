/** A test of a service under vitest, whose workers get the flag from the environment. */
export default {
  library: 'vitest',
  full: true,
  use: 'a service in a test, currentLane() in it',
  explicit: 'a test imports what it tests',
  program: ({ node, flags, libraries }) => ({
    command: node,
    args: [`${libraries}node_modules/vitest/vitest.mjs`, 'run', '--root', `${libraries}fixtures`, 'vitest.test.ts'],
    env: { NODE_OPTIONS: flags.join(' ') },
  }),
}
