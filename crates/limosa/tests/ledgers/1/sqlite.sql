PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE IF NOT EXISTS "limosa_application_metadata" (
  project text not null,
  key text not null,
  value text not null,
  updated_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  primary key (project, key)
) without rowid;
INSERT INTO limosa_application_metadata VALUES('','ledger_version','1','2026-11-21T09:30:38.846Z');
CREATE TABLE IF NOT EXISTS "limosa_schema_migrations" (
  project text not null,
  identity text not null,
  version text,
  name text not null,
  checksum text not null,
  up_checksum text not null,
  state text not null check (state in ('applied', 'baseline', 'partial', 'reverting', 'skipped')),
  statements_done integer not null,
  statements_total integer not null,
  rank integer not null,
  applied_at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  applied_by text not null,
  execution_ms integer not null,
  rollback_sql text,
  rollback_origin text,
  rollback_values text,
  depends_on text not null default '[]',
  plan_digest text,
  lease_epoch integer not null,
  step_mark text not null,
  primary key (project, identity)
) without rowid;
INSERT INTO limosa_schema_migrations VALUES('library','1','001','create authors','sha256:e140e8e36bd613b45e18a40583cd183cc2e706989c88c3844ccc82ec3ff5ccd2','sha256:ebdb653f37668ae8c2108d39131e548425d61df4a7aa5faace20bce9a0a0cca4','applied',1,1,1,'2026-11-21T09:30:38.850Z','ada@example process 7',3,replace('drop table authors;\n','\n',char(10)),'{"file":"migrations/001_create_authors.sql","line":4,"column":1}',NULL,'[]','sha256:897cdc03837bce42418ccdcd1d4aa8ecd6ee373807c2cc404103dc26bbd8fb95',1,'1a1fd71897f-5e99-03d7198f796f35b0:0');
INSERT INTO limosa_schema_migrations VALUES('library','2','002','create books','sha256:a2bc2d60e4c91abb13a484f04043ba35be24a04f0911b12c4403d06523c9c890','sha256:60b9b5ec908a0e8d8da14bf132cc9067f75e697407acac808ca4f7a8312399e6','applied',2,2,4,'2026-11-21T09:30:38.913Z','ada@example process 7',0,replace('drop table books;\ndelete from authors;\n','\n',char(10)),'{"file":"migrations/002_create_books.sql","line":6,"column":1}',NULL,'["1"]','sha256:bf852f13b8bebc324ace86459d147450c9390ce86157693ef72b9c1b373081bf',4,'1a1fd7189c1-5ebb-ed37dc73fb1f7180:0');
INSERT INTO limosa_schema_migrations VALUES('library','R:shelf',NULL,'shelf','sha256:af547cf70720bb59ab1a717acb4509fb7c6ff815398f3baf2a425134aeff055f','sha256:5081385e05abc952b08018edf17b0446aab17f006fe1e62614f0762d431d3c2a','applied',2,2,3,'2026-11-21T09:30:38.873Z','ada@example process 7',0,NULL,NULL,NULL,'[]','sha256:72f310d46a55602d2c6d9c8e0540615f9cdc91dea21883e12159865e86558ac5',2,'1a1fd718999-5ea2-d50077e10b081ef2:0');
CREATE TABLE IF NOT EXISTS "limosa_audit_head" (
  project text not null primary key,
  sequence integer not null,
  hash text not null
) without rowid;
INSERT INTO limosa_audit_head VALUES('library',6,'8a86972e9b1bb49ef112228c93abdca053918526beb517a0b6fdf7db30263e40');
CREATE TABLE IF NOT EXISTS "limosa_audit_log" (
  project text not null,
  sequence integer not null,
  at text not null,
  actor text not null,
  operation text not null,
  identity text,
  outcome text not null,
  detail text not null,
  previous_hash text not null,
  hash text not null,
  primary key (project, sequence)
) without rowid;
INSERT INTO limosa_audit_log VALUES('library',1,'2026-11-21T09:30:38.850Z','ada@example process 7','apply','1','done','{"name":"create authors","checksum":"sha256:e140e8e36bd613b45e18a40583cd183cc2e706989c88c3844ccc82ec3ff5ccd2","statements":1,"plan":"sha256:897cdc03837bce42418ccdcd1d4aa8ecd6ee373807c2cc404103dc26bbd8fb95","run":"1a1fd71897f-5e99-03d7198f796f35b0"}','','f88c8d175b8711605d01fd90a8e9fc04ecd07908f04bd4129262ab25d529a361');
INSERT INTO limosa_audit_log VALUES('library',2,'2026-11-21T09:30:38.857Z','ada@example process 7','apply','2','done','{"name":"create books","checksum":"sha256:a2bc2d60e4c91abb13a484f04043ba35be24a04f0911b12c4403d06523c9c890","statements":2,"plan":"sha256:897cdc03837bce42418ccdcd1d4aa8ecd6ee373807c2cc404103dc26bbd8fb95","run":"1a1fd71897f-5e99-03d7198f796f35b0"}','f88c8d175b8711605d01fd90a8e9fc04ecd07908f04bd4129262ab25d529a361','5c6fe1af064db9816e0cd1b01c472e40067e09cae252f975b96bdd8fd731a529');
INSERT INTO limosa_audit_log VALUES('library',3,'2026-11-21T09:30:38.859Z','ada@example process 7','apply','3','failed','{"name":"broken","checksum":"sha256:aeb62c8de45506597adbcd9372c27e656309a32928d0f62324db0fc72fd893fb","statements":1,"plan":"sha256:897cdc03837bce42418ccdcd1d4aa8ecd6ee373807c2cc404103dc26bbd8fb95","run":"1a1fd71897f-5e99-03d7198f796f35b0","error":"no such table: nowhere (SQLITE_ERROR): statement 1 of 1, INSERT","code":"LIM-R002","at":{"file":"migrations/003_broken.sql","line":1,"column":1},"statements_done":0}','5c6fe1af064db9816e0cd1b01c472e40067e09cae252f975b96bdd8fd731a529','a3967dc93a33192e783023720a89466770e2938fdaaba26834f9c6bc30613055');
INSERT INTO limosa_audit_log VALUES('library',4,'2026-11-21T09:30:38.874Z','ada@example process 7','apply','R:shelf','done','{"name":"shelf","checksum":"sha256:af547cf70720bb59ab1a717acb4509fb7c6ff815398f3baf2a425134aeff055f","statements":2,"plan":"sha256:72f310d46a55602d2c6d9c8e0540615f9cdc91dea21883e12159865e86558ac5","run":"1a1fd718999-5ea2-d50077e10b081ef2"}','a3967dc93a33192e783023720a89466770e2938fdaaba26834f9c6bc30613055','e57044874a09a5637b1a786a4eab94f4297c3f43bc870f03e789f0a61aea300a');
INSERT INTO limosa_audit_log VALUES('library',5,'2026-11-21T09:30:38.892Z','ada@example process 7','revert','2','done','{"name":"create books","checksum":"sha256:a2bc2d60e4c91abb13a484f04043ba35be24a04f0911b12c4403d06523c9c890","statements":2,"plan":"sha256:d45cd4e28f743c8dbf8e7bf1fea22a0f73ee5b54bd0977b45ede66aa4e713009","run":"1a1fd7189ab-5ea6-04d22659c94b8b1d"}','e57044874a09a5637b1a786a4eab94f4297c3f43bc870f03e789f0a61aea300a','9c56d339d31ea1a7aa90169f5270723b6f97269bd1e201d9a5b407f160e636aa');
INSERT INTO limosa_audit_log VALUES('library',6,'2026-11-21T09:30:38.914Z','ada@example process 7','apply','2','done','{"name":"create books","checksum":"sha256:a2bc2d60e4c91abb13a484f04043ba35be24a04f0911b12c4403d06523c9c890","statements":2,"plan":"sha256:bf852f13b8bebc324ace86459d147450c9390ce86157693ef72b9c1b373081bf","run":"1a1fd7189c1-5ebb-ed37dc73fb1f7180"}','9c56d339d31ea1a7aa90169f5270723b6f97269bd1e201d9a5b407f160e636aa','8a86972e9b1bb49ef112228c93abdca053918526beb517a0b6fdf7db30263e40');
CREATE TABLE IF NOT EXISTS "limosa_lease" (
  project text not null primary key,
  epoch integer not null,
  holder text,
  backend text,
  pooled integer not null default 0,
  since text,
  heartbeat_at text,
  unique (project, epoch)
) without rowid;
INSERT INTO limosa_lease VALUES('library',4,NULL,NULL,0,'2026-11-21T09:30:38.909Z','2026-11-21T09:30:38.909Z');
CREATE TABLE IF NOT EXISTS "limosa_journal" (
  project text not null,
  identity text not null,
  direction text not null check (direction in ('apply', 'revert')),
  done integer not null,
  done_hash text not null,
  current_statement integer,
  current_hash text,
  current_before text,
  current_started_at text,
  current_retry integer not null default 0,
  backend text,
  lease_epoch integer not null,
  primary key (project, identity, direction)
) without rowid;
CREATE TABLE authors (id integer primary key, name text not null);
INSERT INTO authors VALUES(1,'Ada\\ with a backslash');
CREATE TABLE books (id integer primary key, author integer not null references authors (id), title text not null);
CREATE VIEW shelf as select b.title, a.name from books b join authors a on a.id = b.author;
COMMIT;
