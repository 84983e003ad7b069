export { listen } from './listen.js'
export { rawRequest } from './raw-request.js'
export { readmeExample } from './readme-example.js'
