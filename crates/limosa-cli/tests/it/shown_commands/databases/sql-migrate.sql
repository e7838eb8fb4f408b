SET check_function_bodies = false;
CREATE TABLE public.gorp_migrations (
    id text NOT NULL,
    applied_at timestamp with time zone
);
CREATE TABLE public.users (
    id bigint NOT NULL,
    email character varying(200) NOT NULL
);
INSERT INTO public.gorp_migrations VALUES ('1-create_users.sql', '2026-11-26 12:14:16.27456+00');
ALTER TABLE ONLY public.gorp_migrations
    ADD CONSTRAINT gorp_migrations_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
