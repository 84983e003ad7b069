// Loader hooks, which Node 20 runs in a thread of their own that has the preloads too.
import { register } from 'node:module'

register('data:text/javascript,export async function load(url, context, next) { return next(url, context) }')
