import { createAsk } from '../../shapes/ask.mjs'
import { createContext, graphqlRequest, resolversOf, typeDefs } from '../../shapes/graphql.mjs'

export default {
  library: '@apollo/server',
  full: true,
  use: 'resolvers with DataLoader, startStandaloneServer',
  explicit: 'the server is made inside the library',
  concurrent: true,
  request: graphqlRequest,
  async service(kit) {
    const { ApolloServer } = await import('@apollo/server')
    const { startStandaloneServer } = await import('@apollo/server/standalone')
    const DataLoader = kit.require('dataloader')
    const ask = createAsk(kit)
    const apollo = new ApolloServer({ typeDefs, resolvers: resolversOf(ask) })
    const context = async ({ req }) => createContext(ask, req.headers, DataLoader)
    const { url } = await startStandaloneServer(apollo, { context, listen: { port: 0, host: '127.0.0.1' } })
    return { port: Number(new URL(url).port), close: () => apollo.stop() }
  },
}
