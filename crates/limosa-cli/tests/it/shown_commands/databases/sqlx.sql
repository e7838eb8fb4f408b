SET check_function_bodies = false;
CREATE TABLE public._sqlx_migrations (
    version bigint NOT NULL,
    description text NOT NULL,
    installed_on timestamp with time zone DEFAULT now() NOT NULL,
    success boolean NOT NULL,
    checksum bytea NOT NULL,
    execution_time bigint NOT NULL
);
CREATE TABLE public.users (
    id bigint NOT NULL,
    email character varying(200) NOT NULL
);
INSERT INTO public._sqlx_migrations VALUES (20240131120000, 'create users', '2026-11-26 12:14:16.898737+00', true, '\xa5b8c85d70ca9816eacdfab82d0a9cb11b49b1913f93e3a54e8c50d07c031c6a1d43abff290d0becf2036b66abcb185d', 4906452);
ALTER TABLE ONLY public._sqlx_migrations
    ADD CONSTRAINT _sqlx_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
