/** The command of tsx, with the flag in the environment. */
export default {
  library: 'tsx',
  full: true,
  use: 'NODE_OPTIONS="--import @laneway/register" tsx app.ts',
  explicit: 'see the row of the flag',
  program: ({ node, flags, libraries }) => ({
    command: node,
    args: [`${libraries}node_modules/tsx/dist/cli.mjs`, `${libraries}fixtures/typescript/app.ts`],
    env: { NODE_OPTIONS: flags.join(' ') },
  }),
}
