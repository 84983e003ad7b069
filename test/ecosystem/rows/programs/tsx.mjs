/** A service in TypeScript that is run as it is. */
export default {
  library: 'tsx',
  full: true,
  use: 'node --import tsx app.mts',
  explicit: true,
  program: ({ node, flags, libraries }) => ({
    command: node,
    args: [...flags, '--import', 'tsx', `${libraries}fixtures/app.mts`],
  }),
}
