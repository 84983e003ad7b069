import { createAsk } from '../../shapes/ask.mjs'
import { createContext, graphqlRequest, resolversOf, typeDefs } from '../../shapes/graphql.mjs'

export default {
  library: 'graphql-yoga',
  use: 'resolvers with DataLoader',
  explicit: true,
  concurrent: true,
  request: graphqlRequest,
  async service(kit) {
    // Both interfaces of graphql would be two libraries.
    const { createSchema, createYoga } = kit.require('graphql-yoga')
    const DataLoader = kit.require('dataloader')
    const ask = createAsk(kit)
    return createYoga({
      schema: createSchema({ typeDefs, resolvers: resolversOf(ask) }),
      context: ({ request }) => createContext(ask, Object.fromEntries(request.headers), DataLoader),
      logging: false,
    })
  },
}
