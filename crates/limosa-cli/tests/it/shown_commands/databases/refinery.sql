SET check_function_bodies = false;
CREATE TABLE public.refinery_schema_history (
    version integer NOT NULL,
    name character varying(255),
    applied_on character varying(255),
    checksum character varying(255)
);
CREATE TABLE public.users (
    id bigint NOT NULL,
    email character varying(200) NOT NULL,
    name character varying(200)
);
INSERT INTO public.refinery_schema_history VALUES (1, 'create_users', '2026-11-26T12:14:17.142762471Z', '8041647930844806018');
INSERT INTO public.refinery_schema_history VALUES (2, 'add_names', '2026-11-26T12:14:17.142769211Z', '1116765876943372485');
ALTER TABLE ONLY public.refinery_schema_history
    ADD CONSTRAINT refinery_schema_history_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
