# Build with the compiler that better-sqlite3 may need, run without it.
FROM node:20-bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ make python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# A lock written on another platform may lack optional binaries, which `npm ci` refuses.
RUN npm ci || npm install --no-save
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npx tsc -p tsconfig.build.json && npm prune --omit=dev

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY mappings mappings
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 8080 8081
ENV DRAGOMAN_LISTEN_DEVICES=0.0.0.0:8080 DRAGOMAN_LISTEN_ADMIN=0.0.0.0:8081 DRAGOMAN_STORE=sqlite:/data/dragoman.db
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
  CMD node -e "fetch('http://127.0.0.1:8081/readyz').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"
ENTRYPOINT ["node", "dist/cli/main.js"]
CMD ["serve"]
