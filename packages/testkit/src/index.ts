export { listen } from './listen.js'
export { readmeExample } from './readme-example.js'
export { rawRequest } from './raw-request.js'
