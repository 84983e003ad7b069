/** A test of a service: under Jest, modules live in another realm. */
export default {
  library: 'jest',
  full: true,
  use: 'a service in a test, currentLane() in it',
  explicit: 'a test imports what it tests',
  program: ({ node, flags, libraries }) => ({
    command: node,
    args: [
      ...flags,
      `${libraries}node_modules/jest/bin/jest.js`,
      '--runInBand',
      '--rootDir',
      `${libraries}fixtures`,
    ].concat(['--testMatch', '**/jest.test.cjs', '--config', '{}', '--watchman=false', '--cache=false']),
  }),
}
