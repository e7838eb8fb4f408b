SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA limosa;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE limosa.application_metadata (
    project text NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE limosa.audit_head (
    project text NOT NULL,
    sequence bigint NOT NULL,
    hash text NOT NULL
);
CREATE TABLE limosa.audit_log (
    project text NOT NULL,
    sequence bigint NOT NULL,
    at text NOT NULL,
    actor text NOT NULL,
    operation text NOT NULL,
    identity text,
    outcome text NOT NULL,
    detail text NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL
);
CREATE TABLE limosa.journal (
    project text NOT NULL,
    identity text NOT NULL,
    direction text NOT NULL,
    done bigint NOT NULL,
    done_hash text NOT NULL,
    current_statement bigint,
    current_hash text,
    current_before text,
    current_started_at timestamp with time zone,
    current_retry boolean DEFAULT false NOT NULL,
    backend text,
    lease_epoch bigint NOT NULL,
    CONSTRAINT journal_direction_check CHECK ((direction = ANY (ARRAY['apply'::text, 'revert'::text])))
);
CREATE TABLE limosa.lease (
    project text NOT NULL,
    epoch bigint NOT NULL,
    holder text,
    backend text,
    pooled boolean DEFAULT false NOT NULL,
    since timestamp with time zone,
    heartbeat_at timestamp with time zone
);
CREATE TABLE limosa.schema_migrations (
    project text NOT NULL,
    identity text NOT NULL,
    version text,
    name text NOT NULL,
    checksum text NOT NULL,
    up_checksum text NOT NULL,
    state text NOT NULL,
    statements_done bigint NOT NULL,
    statements_total bigint NOT NULL,
    rank bigint NOT NULL,
    applied_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    applied_by text NOT NULL,
    execution_ms bigint NOT NULL,
    rollback_sql text,
    rollback_origin text,
    rollback_values text,
    depends_on text DEFAULT '[]'::text NOT NULL,
    plan_digest text,
    lease_epoch bigint NOT NULL,
    step_mark text NOT NULL,
    CONSTRAINT schema_migrations_state_check CHECK ((state = ANY (ARRAY['applied'::text, 'baseline'::text, 'partial'::text, 'reverting'::text, 'skipped'::text])))
);
CREATE TABLE public.authors (
    id integer NOT NULL,
    name text NOT NULL
);
CREATE TABLE public.books (
    id integer NOT NULL,
    author integer NOT NULL,
    title text NOT NULL
);
CREATE VIEW public.shelf AS
 SELECT b.title,
    a.name
   FROM (public.books b
     JOIN public.authors a ON ((a.id = b.author)));
INSERT INTO limosa.application_metadata VALUES ('', 'ledger_version', '1', '2026-11-21 09:30:39.904486+00');
INSERT INTO limosa.audit_head VALUES ('library', 5, '9919ea30dc53f59c59dc569e78f3c295855885c00a1b07b3d046ab095bb3e552');
INSERT INTO limosa.audit_log VALUES ('library', 1, '2026-11-21T09:30:39.913210Z', 'ada@example process 7', 'apply', '1', 'done', '{"name":"create authors","checksum":"sha256:e140e8e36bd613b45e18a40583cd183cc2e706989c88c3844ccc82ec3ff5ccd2","statements":1,"plan":"sha256:05c0310e365db4e4befdcf66af405f9f0cae8cc49934a0d45fa26c08f7f16df0","run":"1a1fd718da4-609f-cbb6e6c8edfd0b11"}', '', '094a1ce03038c999f725c2be2fa332d83a904ee38b82086b01d9ae762071c8fe');
INSERT INTO limosa.audit_log VALUES ('library', 2, '2026-11-21T09:30:39.920282Z', 'ada@example process 7', 'apply', '2', 'done', '{"name":"create books","checksum":"sha256:a2bc2d60e4c91abb13a484f04043ba35be24a04f0911b12c4403d06523c9c890","statements":2,"plan":"sha256:05c0310e365db4e4befdcf66af405f9f0cae8cc49934a0d45fa26c08f7f16df0","run":"1a1fd718da4-609f-cbb6e6c8edfd0b11"}', '094a1ce03038c999f725c2be2fa332d83a904ee38b82086b01d9ae762071c8fe', '3e35aa4cfe3142cbc4e3e6077373d39af3e2f0fe484e1ec9398707de8f31be12');
INSERT INTO limosa.audit_log VALUES ('library', 3, '2026-11-21T09:30:39.925835Z', 'ada@example process 7', 'apply', '3', 'failed', '{"name":"broken","checksum":"sha256:aeb62c8de45506597adbcd9372c27e656309a32928d0f62324db0fc72fd893fb","statements":1,"plan":"sha256:05c0310e365db4e4befdcf66af405f9f0cae8cc49934a0d45fa26c08f7f16df0","run":"1a1fd718da4-609f-cbb6e6c8edfd0b11","error":"relation \"nowhere\" does not exist (42P01): statement 1 of 1, INSERT","code":"LIM-R002","at":{"file":"migrations/003_broken.sql","line":1,"column":13},"statements_done":0}', '3e35aa4cfe3142cbc4e3e6077373d39af3e2f0fe484e1ec9398707de8f31be12', '9a711514ce27d5580ef39bdfdd46f006be0055328f06004ce5944da31ea065c3');
INSERT INTO limosa.audit_log VALUES ('library', 4, '2026-11-21T09:30:39.969399Z', 'ada@example process 7', 'apply', 'R:shelf', 'done', '{"name":"shelf","checksum":"sha256:af547cf70720bb59ab1a717acb4509fb7c6ff815398f3baf2a425134aeff055f","statements":2,"plan":"sha256:aedd52064fc0a314add5aff522dca35972d55570e972ec60d2319ac50ebbcaaa","run":"1a1fd718ddd-60c5-2b93027d0839f345"}', '9a711514ce27d5580ef39bdfdd46f006be0055328f06004ce5944da31ea065c3', 'd173114920b31215e24d243a05fcbeeb0f056fb8d0230695575b11c01f50ff53');
INSERT INTO limosa.audit_log VALUES ('library', 5, '2026-11-21T09:30:40.014127Z', 'ada@example process 7', 'revert', '2', 'failed', '{"name":"create books","checksum":"sha256:a2bc2d60e4c91abb13a484f04043ba35be24a04f0911b12c4403d06523c9c890","statements":2,"plan":"sha256:50522c5bfecef78fc99f2746be05b0959f2cbee9c154e6861a27ec72797c9bc5","run":"1a1fd718e0a-60db-f372a8a3951fcc40","error":"cannot drop table books because other objects depend on it (2BP01): statement 1 of 2, DROP TABLE","code":"LIM-R002","at":{"file":"recorded rollback of 2 (migrations/002_create_books.sql)","line":6,"column":1},"statements_done":0}', 'd173114920b31215e24d243a05fcbeeb0f056fb8d0230695575b11c01f50ff53', '9919ea30dc53f59c59dc569e78f3c295855885c00a1b07b3d046ab095bb3e552');
INSERT INTO limosa.lease VALUES ('library', 3, NULL, NULL, false, '2026-11-21 09:30:40.007691+00', '2026-11-21 09:30:40.007691+00');
INSERT INTO limosa.schema_migrations VALUES ('library', '1', '001', 'create authors', 'sha256:e140e8e36bd613b45e18a40583cd183cc2e706989c88c3844ccc82ec3ff5ccd2', 'sha256:ebdb653f37668ae8c2108d39131e548425d61df4a7aa5faace20bce9a0a0cca4', 'applied', 1, 1, 1, '2026-11-21 09:30:39.912131+00', 'ada@example process 7', 3, 'drop table authors;
', '{"file":"migrations/001_create_authors.sql","line":4,"column":1}', NULL, '[]', 'sha256:05c0310e365db4e4befdcf66af405f9f0cae8cc49934a0d45fa26c08f7f16df0', 1, '1a1fd718da4-609f-cbb6e6c8edfd0b11:0');
INSERT INTO limosa.schema_migrations VALUES ('library', '2', '002', 'create books', 'sha256:a2bc2d60e4c91abb13a484f04043ba35be24a04f0911b12c4403d06523c9c890', 'sha256:60b9b5ec908a0e8d8da14bf132cc9067f75e697407acac808ca4f7a8312399e6', 'applied', 2, 2, 2, '2026-11-21 09:30:39.917258+00', 'ada@example process 7', 3, 'drop table books;
delete from authors;
', '{"file":"migrations/002_create_books.sql","line":6,"column":1}', NULL, '["1"]', 'sha256:05c0310e365db4e4befdcf66af405f9f0cae8cc49934a0d45fa26c08f7f16df0', 1, '1a1fd718da4-609f-cbb6e6c8edfd0b11:1');
INSERT INTO limosa.schema_migrations VALUES ('library', 'R:shelf', NULL, 'shelf', 'sha256:af547cf70720bb59ab1a717acb4509fb7c6ff815398f3baf2a425134aeff055f', 'sha256:5081385e05abc952b08018edf17b0446aab17f006fe1e62614f0762d431d3c2a', 'applied', 2, 2, 3, '2026-11-21 09:30:39.968933+00', 'ada@example process 7', 3, NULL, NULL, NULL, '[]', 'sha256:aedd52064fc0a314add5aff522dca35972d55570e972ec60d2319ac50ebbcaaa', 2, '1a1fd718ddd-60c5-2b93027d0839f345:0');
INSERT INTO public.authors VALUES (1, 'Ada\\ with a backslash');
ALTER TABLE ONLY limosa.application_metadata
    ADD CONSTRAINT application_metadata_pkey PRIMARY KEY (project, key);
ALTER TABLE ONLY limosa.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (project);
ALTER TABLE ONLY limosa.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (project, sequence);
ALTER TABLE ONLY limosa.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (project, identity, direction);
ALTER TABLE ONLY limosa.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (project);
ALTER TABLE ONLY limosa.lease
    ADD CONSTRAINT lease_project_epoch_key UNIQUE (project, epoch);
ALTER TABLE ONLY limosa.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (project, identity);
ALTER TABLE ONLY public.authors
    ADD CONSTRAINT authors_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.books
    ADD CONSTRAINT books_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.books
    ADD CONSTRAINT books_author_fkey FOREIGN KEY (author) REFERENCES public.authors(id);
