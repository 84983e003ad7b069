/** A service in TypeScript, CommonJS, compiled while it is loaded. Node 20 needs --require for that, not --import. */
export default {
  library: 'ts-node',
  full: true,
  use: 'node --require ts-node/register app.ts',
  explicit: 'see the rows of tsx',
  program: ({ node, requireFlags, libraries }) => ({
    command: node,
    args: [...requireFlags, '--require', 'ts-node/register/transpile-only', `${libraries}fixtures/typescript/app.ts`],
    env: {
      TS_NODE_SKIP_PROJECT: 'true',
      TS_NODE_COMPILER_OPTIONS: '{"module":"commonjs","esModuleInterop":true,"target":"es2022"}',
    },
  }),
}
