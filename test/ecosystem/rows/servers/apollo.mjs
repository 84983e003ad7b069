import { createAsk } from '../../shapes/ask.mjs'
import { createContext, graphqlRequest, resolversOf, typeDefs } from '../../shapes/graphql.mjs'

export default {
  library: '@apollo/server',
  use: 'resolvers with DataLoader, on Express 5',
  explicit: true,
  concurrent: true,
  request: graphqlRequest,
  async service(kit) {
    const { ApolloServer } = await import('@apollo/server')
    const { expressMiddleware } = await import('@as-integrations/express5')
    const express = kit.require('express')
    const DataLoader = kit.require('dataloader')
    const ask = createAsk(kit)
    const apollo = new ApolloServer({ typeDefs, resolvers: resolversOf(ask) })
    await apollo.start()
    const context = async ({ req }) => createContext(ask, req.headers, DataLoader)
    const app = express()
    if (kit.laneway !== undefined) app.use(kit.laneway.express())
    app.use('/graphql', express.json(), expressMiddleware(apollo, { context }))
    return { server: app, close: () => apollo.stop() }
  },
}
