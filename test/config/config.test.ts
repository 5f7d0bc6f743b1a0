import { describe, expect, it } from "vitest";
import { type Config, ConfigError, optionOf } from "../../src/config/config.js";
import { describeSettings, readConfig, settings } from "../../src/program/settings.js";

describe("the source of a setting", () => {
  it("[RUN5] is an option, else the environment, else .env, else the default", () => {
    const dotenv = "PORT=2\nMESSAGE_LENGTH=20\nSESSION_TTL=200\n";
    const environment = { PORT: "3", MESSAGE_LENGTH: "30" };
    const config = readConfig({ port: "4" }, environment, dotenv);
    expect(config).toMatchObject({ port: 4, messageLength: 30, sessionTtl: 200, bcryptCost: 10 });
  });

  it("[RUN5] is the default when nothing is set", () => {
    expect(readConfig({}, {})).toEqual({
      host: "127.0.0.1",
      port: 4000,
      redisUrls: [],
      redisPassword: undefined,
      redisSentinelPassword: undefined,
      redisWait: 60,
      ackReplicas: 0,
      dataDir: "./data",
      dataFsync: "everysec",
      demoData: true,
      interop: "public",
      presenceLease: 10,
      presenceGrace: 5,
      sessionTtl: 86_400,
      sessionLifetime: 7_776_000,
      guestTtl: 3_600,
      guestKeep: 86_400,
      bcryptCost: 10,
      messageLength: 4_000,
      roomLogLength: 10_000,
      historyLimit: 0,
      historyDays: 0,
      rateLimits: true,
      sendsPerSecond: 5,
      sendBurst: 50,
      socketsPerUser: 20,
      socketsPerAddress: 500,
      subscriptionsPerSocket: 200,
      socketCompression: false,
      proxies: 0,
      allowedOrigins: [],
      allowedHosts: [],
      assistant: true,
      assistantUsername: "assistant",
      assistantRooms: 8,
      assistantLease: 5,
      assistantPatience: 5,
      assistantMemory: 40,
      assistantMemoryLength: 12_000,
      assistantQueue: 1_000,
      questionsPerMinute: 20,
      assistantUrl: undefined,
      assistantModel: undefined,
      assistantKey: undefined,
      assistantPrompt: settings.assistantPrompt.fallback,
      assistantTimeout: 30,
      assistantMaxTokens: 1_000,
      playground: true,
      introspection: true,
      logLevel: "info",
    });
  });

  it.each([
    [{ REDIS_ENDPOINT_URI: "redis.example:6380" }, "redis://redis.example:6380", "REDIS_ENDPOINT_URI"],
    [{ REDIS_ENDPOINT_URL: "redis://one", REDIS_USERNAME: "me@x" }, "redis://me%40x@one", "REDIS_ENDPOINT_URL and REDIS_USERNAME"],
    [{ REDIS_HOST: "one" }, "redis://one", "REDIS_HOST"],
    [{ REDIS_HOST: "::1", REDIS_PORT: "6380", REDIS_USER: "me" }, "redis://me@[::1]:6380", "REDIS_HOST, REDIS_PORT, REDIS_USER"],
    [{ REDIS_URL: "redis://two", REDIS_USER: "me" }, "redis://me@two", "REDIS_URL and REDIS_USER"],
    [{ REDIS_URL: "redis://you:secret@two", REDIS_USER: "me" }, "redis://you:secret@two", undefined],
    [{ REDIS_URL: "redis://two", REDIS_HOST: "one", REDIS_ENDPOINT_URI: "three" }, "redis://two", undefined],
  ])("[RUN5] can be a Redis variable of the demo apps and tutorials: %o", (environment, url, redisSource) => {
    const config = readConfig({}, { ...environment, REDIS_PASSWORD: "secret" });
    expect(config).toMatchObject({ redisUrls: [url], redisPassword: "secret", demoData: false, redisSource });
    expect(readConfig({ redis: "redis://option" }, environment)).toMatchObject({ redisUrls: ["redis://option"], redisSource: undefined });
  });

  it("[RUN5] ignores a Redis port without a host, and names the variables of a bad address", () => {
    expect(readConfig({}, { REDIS_PORT: "tcp://10.0.0.1:6379" }).redisUrls).toEqual([]);
    expect(() => readConfig({}, { REDIS_HOST: "one", REDIS_PORT: "x" })).toThrow(/^REDIS_HOST, REDIS_PORT: /);
  });

  it("[RUN5] can be an option, a variable or .env for every setting, under the names in --help", () => {
    const texts: Record<keyof typeof settings, string> = {
      host: "0.0.0.0",
      port: "4100",
      redisUrls: "redis://one:1,rediss://two",
      redisPassword: "secret",
      redisSentinelPassword: "sentinels' secret",
      redisWait: "7",
      ackReplicas: "1",
      dataDir: "/somewhere",
      dataFsync: "always",
      demoData: "on",
      interop: "full",
      presenceLease: "2",
      presenceGrace: "0",
      sessionTtl: "60",
      sessionLifetime: "604800",
      guestTtl: "61",
      guestKeep: "62",
      bcryptCost: "4",
      messageLength: "1",
      roomLogLength: "100",
      historyLimit: "1000",
      historyDays: "30",
      rateLimits: "off",
      sendsPerSecond: "2",
      sendBurst: "10",
      socketsPerUser: "3",
      socketsPerAddress: "30",
      subscriptionsPerSocket: "7",
      socketCompression: "on",
      proxies: "1",
      allowedOrigins: "https://a.example, http://localhost:5173",
      allowedHosts: "chat.example, *.Chat.example",
      assistant: "on",
      assistantUsername: "helper",
      assistantRooms: "2",
      assistantLease: "1",
      assistantPatience: "0",
      assistantMemory: "10",
      assistantMemoryLength: "1000",
      assistantQueue: "50",
      questionsPerMinute: "3",
      assistantUrl: "https://models.example/v1",
      assistantModel: "small",
      assistantKey: "secret",
      assistantPrompt: "You are a parrot.",
      assistantTimeout: "5",
      assistantMaxTokens: "200",
      playground: "off",
      introspection: "off",
      logLevel: "debug",
    };
    const values: Config = {
      host: "0.0.0.0",
      port: 4100,
      redisUrls: ["redis://one:1", "rediss://two"],
      redisPassword: "secret",
      redisSentinelPassword: "sentinels' secret",
      redisWait: 7,
      ackReplicas: 1,
      dataDir: "/somewhere",
      dataFsync: "always",
      demoData: true,
      interop: "full",
      presenceLease: 2,
      presenceGrace: 0,
      sessionTtl: 60,
      sessionLifetime: 604_800,
      guestTtl: 61,
      guestKeep: 62,
      bcryptCost: 4,
      messageLength: 1,
      roomLogLength: 100,
      historyLimit: 1_000,
      historyDays: 30,
      rateLimits: false,
      sendsPerSecond: 2,
      sendBurst: 10,
      socketsPerUser: 3,
      socketsPerAddress: 30,
      subscriptionsPerSocket: 7,
      socketCompression: true,
      proxies: 1,
      allowedOrigins: ["https://a.example", "http://localhost:5173"],
      allowedHosts: ["chat.example", "*.chat.example"],
      assistant: true,
      assistantUsername: "helper",
      assistantRooms: 2,
      assistantLease: 1,
      assistantPatience: 0,
      assistantMemory: 10,
      assistantMemoryLength: 1_000,
      assistantQueue: 50,
      questionsPerMinute: 3,
      assistantUrl: "https://models.example/v1",
      assistantModel: "small",
      assistantKey: "secret",
      assistantPrompt: "You are a parrot.",
      assistantTimeout: 5,
      assistantMaxTokens: 200,
      playground: false,
      introspection: false,
      logLevel: "debug",
    };
    const given = namesOf(texts).map((name) => ({ ...settings[name], text: texts[name] }));
    const variables = Object.fromEntries(given.map(({ env, text }) => [env[0], text]));
    const dotenv = given.map(({ env, text }) => `${env[0]}="${text}"`).join("\n");
    expect(readConfig(Object.fromEntries(given.map((setting) => [optionOf(setting), setting.text])), {})).toEqual(values);
    expect(readConfig({}, variables)).toEqual(values);
    expect(readConfig({}, {}, dotenv)).toEqual(values);
  });

  it("[RUN5] treats an empty variable as unset", () => {
    expect(readConfig({}, { PORT: "", REDIS_URL: "", PLAYGROUND: "" })).toEqual(readConfig({}, {}));
    expect(readConfig({}, { PORT: "" }, "PORT=5\nREDIS_PASSWORD=\n")).toMatchObject({ port: 5, redisPassword: undefined });
  });

  it("[RUN5] ignores variables that are not settings", () => {
    expect(readConfig({}, { PATH: "/bin", HOSTNAME: "x" }, "COLOUR=red")).toEqual(readConfig({}, {}));
  });
});

describe("the value of a setting", () => {
  it("[RUN5] turns demo data on by default only with the embedded Redis", () => {
    expect(readConfig({}, {}).demoData).toBe(true);
    expect(readConfig({ redis: "redis://host" }, {}).demoData).toBe(false);
    expect(readConfig({ redis: "redis://host", "demo-data": "on" }, {}).demoData).toBe(true);
    expect(readConfig({ "demo-data": "off" }, {}).demoData).toBe(false);
  });

  it("[RUN5] turns playground and introspection on by default, except in production", () => {
    const both = ({ playground, introspection }: Config) => [playground, introspection];
    expect(both(readConfig({}, { NODE_ENV: "development" }))).toEqual([true, true]);
    expect(both(readConfig({}, { NODE_ENV: "production" }))).toEqual([false, false]);
    expect(both(readConfig({}, {}, "NODE_ENV=production"))).toEqual([false, false]);
    expect(both(readConfig({ playground: "on" }, { NODE_ENV: "production", INTROSPECTION: "true" }))).toEqual([true, true]);
    expect(both(readConfig({ introspection: "0" }, {}))).toEqual([true, false]);
  });

  it("[RUN5] accepts on, true and 1, or off, false and 0, for a switch", () => {
    expect(["on", "true", "1"].map((text) => readConfig({ playground: text }, {}).playground)).toEqual([true, true, true]);
    expect(["off", "false", "0"].map((text) => readConfig({ playground: text }, {}).playground)).toEqual([false, false, false]);
  });

  it("[RUN5] accepts host:port in the demo apps' REDIS_ENDPOINT_URL; REDIS_URL takes precedence", () => {
    expect(readConfig({}, { REDIS_ENDPOINT_URL: "127.0.0.1:6379" }).redisUrls).toEqual(["redis://127.0.0.1:6379"]);
    expect(readConfig({}, { REDIS_ENDPOINT_URL: "redis://127.0.0.1:6379" }).redisUrls).toEqual(["redis://127.0.0.1:6379"]);
    expect(readConfig({}, { REDIS_ENDPOINT_URL: "one:1", REDIS_URL: "redis://two" }).redisUrls).toEqual(["redis://two"]);
    expect(readConfig({}, { REDIS_ENDPOINT_URL: "one:1", REDIS_PASSWORD: "p" })).toMatchObject({ redisPassword: "p", demoData: false });
  });

  it("[RUN5] removes the trailing slash and keeps the query of the assistant's base URL", () => {
    const urlOf = (url: string) => readConfig({ "assistant-url": url, "assistant-model": "small" }, {}).assistantUrl;
    expect(urlOf("http://127.0.0.1:11434/v1/")).toBe("http://127.0.0.1:11434/v1");
    expect(urlOf("HTTPS://models.example//#here")).toBe("https://models.example");
    expect(urlOf("https://models.example/v1/?api-version=2")).toBe("https://models.example/v1?api-version=2");
  });

  it("[RUN5] includes both limits of a number's range", () => {
    expect(readConfig({ port: "0" }, {}).port).toBe(0);
    expect(readConfig({ port: "65535" }, {}).port).toBe(65_535);
    expect(readConfig({ "bcrypt-cost": "15" }, {}).bcryptCost).toBe(15);
  });
});

describe("an invalid setting", () => {
  const anything = ["host", "redisPassword", "redisSentinelPassword", "dataDir", "assistantModel", "assistantPrompt"]; // any text is valid
  const bad: Partial<Record<keyof typeof settings, string[]>> = {
    port: ["abc", "-1", "65536", "4000.5", "4e3", "0x10", " ", "80 81"],
    redisUrls: [
      "http://host",
      "redis://",
      "redis://host:port",
      "redis://host:99999",
      "redis://one,",
      "one two",
      "redis://:p%ss@host",
      "redis://u%ff@host",
      "redis-sentinel://host",
      "redis-sentinel:///mymaster",
      "redis-sentinel://host:port/mymaster",
      "redis-sentinel://:p%ss@host/mymaster",
      "unix:run/redis.sock",
    ],
    redisWait: ["-1", "3601", "1m"],
    ackReplicas: ["-1", "11", "all"],
    dataFsync: ["no", "ALWAYS", "always "],
    demoData: ["yes", "ON", "2"],
    interop: ["on", "FULL", "private"],
    presenceLease: ["1", "301"],
    presenceGrace: ["-1", "301", "5s"],
    sessionTtl: ["59", "31536001", "1d", "-60"],
    sessionLifetime: ["59", "315360001", "90d"],
    guestTtl: ["59", "604801", "1h"],
    guestKeep: ["-1", "31536001", "1d"],
    bcryptCost: ["3", "16", "ten"],
    messageLength: ["0", "10001", "∞"],
    roomLogLength: ["99", "1000001", "1_000"],
    historyLimit: ["-1", "100000001", "off"],
    historyDays: ["-1", "36501", "1d"],
    rateLimits: ["no", "OFF"],
    sendsPerSecond: ["0", "1001", "0.5"],
    sendBurst: ["0", "10001", "many"],
    socketsPerUser: ["0", "1000001", "-1"],
    socketsPerAddress: ["0", "1000001", "∞"],
    subscriptionsPerSocket: ["0", "10001", "x"],
    socketCompression: ["yes"],
    proxies: ["-1", "11", "yes"],
    allowedOrigins: ["*", "chat.example", "https://chat.example/", "https://chat.example/path", "https://ok.example,", "null"],
    allowedHosts: ["https://chat.example", "chat.example:80", "chat..example", "*chat.example", "chat.example,"],
    assistantUrl: ["models.example", "ftp://models.example", "http://", "redis://host", "https://me:secret@models.example/v1"],
    assistantKey: ["two words", "schlüssel", "a\nb"],
    assistantTimeout: ["0", "301", "1.5"],
    assistantMaxTokens: ["0", "100001", "all"],
    assistant: ["yes", "remote"],
    assistantUsername: ["a", "two words", "x".repeat(33), "a@b"],
    assistantRooms: ["0", "1001", "all"],
    assistantLease: ["0", "301", "5s"],
    assistantPatience: ["-1", "3601"],
    assistantMemory: ["-1", "101"],
    assistantMemoryLength: ["-1", "1000001"],
    assistantQueue: ["0", "1000001"],
    questionsPerMinute: ["0", "10001", "2.5"],
    playground: ["maybe", "True"],
    introspection: ["no", "-"],
    logLevel: ["loud", "INFO", "trace"],
  };

  it("[RUN5] is tested for every setting that restricts its text", () => {
    expect([...anything, ...Object.keys(bad)].sort()).toEqual(Object.keys(settings).sort());
  });

  for (const name of namesOf(bad)) {
    const definition = settings[name];
    it(`[RUN5] is reported under the name that was used: ${definition.env[0]}`, () => {
      for (const text of bad[name] ?? []) {
        expect(problems({ [optionOf(definition)]: text }, {}), text).toEqual([expect.stringMatching(`^--${optionOf(definition)}: .`)]);
        for (const variable of definition.env) {
          expect(problems({}, { [variable]: text }), text).toEqual([expect.stringMatching(`^${variable}: .`)]);
        }
      }
    });
  }

  it("[RUN5] is reported together with all other problems, including those of the command line", () => {
    expect(
      problems(
        { port: "abc", colour: "red", "log-level": "loud" },
        { SESSION_TTL: "1", PORT: "not looked at" },
        "BCRYPT_COST=99\nPLAYGROUND=maybe\n",
        ["4100: options begin with --"],
      ),
    ).toEqual([
      "4100: options begin with --",
      "--port: abc is not a whole number from 0 to 65535",
      "PLAYGROUND: maybe is not one of on, off, true, false, 1, 0",
      "SESSION_TTL: 1 is not a whole number from 60 to 31536000",
      "BCRYPT_COST: 99 is not a whole number from 4 to 15",
      "--log-level: loud is not one of debug, info, warn, error, silent",
      "--colour: unknown option; --help lists all options",
    ]);
  });

  it("[RUN5] includes options under any other name", () => {
    for (const option of ["PORT", "redis-url", "REDIS_URL", "no-playground", "constructor", "p"])
      expect(problems({ [option]: "1" }, {})).toEqual([`--${option}: unknown option; --help lists all options`]);
  });

  it("[RUN5] is ignored when a source of higher precedence wins", () => {
    expect(readConfig({ port: "1" }, { PORT: "abc" }, "PORT=def").port).toBe(1);
  });

  it("[RUN5] includes an assistant URL without a model name", () => {
    const missing = ["ASSISTANT_MODEL: is required with ASSISTANT_URL; set it to the name of the model that answers"];
    expect(problems({ "assistant-url": "http://127.0.0.1:11434/v1" }, {})).toEqual(missing);
    expect(problems({}, { ASSISTANT_URL: "http://127.0.0.1:11434/v1", ASSISTANT_MODEL: "" })).toEqual(missing);
    expect(problems({}, { ASSISTANT_MODEL: "small" })).toEqual([]);
  });

  it("[RUN5] never reveals the assistant's key", () => {
    const found = problems(
      { "assistant-key": "geheim geheim", "assistant-url": "https://me:geheim@models.example", "assistant-kay": "geheim" },
      { ASSISTANT_KEY: "geheim", ASSISTANT_MODEL: "geheim" },
    );
    expect(found).toHaveLength(3);
    expect(found.join()).not.toContain("geheim");
  });

  it("[RUN5] never reveals a Redis password", () => {
    for (const url of [
      "ftp://:geheim@host",
      "redis://:geheim@host:99999",
      "redis://:geheim%@host",
      "redis://host,:geheim@",
      "//geheim@host",
      "user:geheim@host:port",
    ]) {
      for (const found of [problems({ redis: url }, {}), problems({}, { REDIS_URL: url }), problems({}, {}, `REDIS_ENDPOINT_URL=${url}`)]) {
        expect(found).toHaveLength(1);
        expect(found.join()).not.toContain("geheim");
      }
    }
    const found = problems({ "redis-password": "geheim", "redis-pasword": "geheim", port: "x" }, { REDIS_PASSWORD: "geheim" });
    expect(found).toHaveLength(2);
    expect(found.join()).not.toContain("geheim");
  });
});

describe("--help", () => {
  it("[RUN7] describes every setting: option, variables, purpose and default", () => {
    const paragraphs = describeSettings().split(/\n(?= {2}--)/);
    const described = Object.values(settings).map(({ fallback, ...definition }) => {
      const paragraph = paragraphs.find((candidate) => candidate.startsWith(`  --${optionOf(definition)} ${definition.placeholder}\n`));
      expect(paragraph, optionOf(definition)).toContain(definition.help);
      expect(paragraph).toContain(definition.env.join(", "));
      expect(paragraph).toMatch(/; default: \S/);
      if (typeof fallback === "number" || typeof fallback === "string") expect(paragraph).toMatch(new RegExp(`; default: ${fallback}$`));
      expect(paragraph).not.toMatch(/undefined|\[object/);
      return paragraph;
    });
    expect(described).toEqual(paragraphs);
  });
});

/** The problems that readConfig reports. */
function problems(...parameters: Parameters<typeof readConfig>): string[] {
  try {
    readConfig(...parameters);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

function namesOf(record: Partial<Record<keyof typeof settings, unknown>>): (keyof typeof settings)[] {
  return Object.keys(record) as (keyof typeof settings)[];
}
